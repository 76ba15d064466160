"""Compares the workplan files of a checkout with the database: what `trueup check` does, by hand.

Files are read line by line with regular expressions, all rows are loaded at once, and then
status (the further one wins), title, priority, description, dependencies, link and duplicates
are compared. It knows little Markdown beyond headings and fences, and of YAML only lines; with
`yaml` as its last word, PyYAML reads the front matter, as most would write it.
"""

import json
import os
import re
import sqlite3
import sys

database, root, repo = sys.argv[1:4]
if sys.argv[4:] == ["yaml"]:
    import yaml
else:
    yaml = None

FIELD = re.compile(r"([A-Za-z_-]+):\s*(.*)")
# A fence, or a heading: one look at each line.
MARK = re.compile(r" {0,3}(?:(`{3,}|~{3,})\s*(\w*)|(#{1,6})\s+(.*))")

RANK = {
    "todo": 0, "wait": 1, "blocked": 1, "in_progress": 1, "progress": 1,
    "done": 2, "cancelled": 2, "cancel": 2,
    "proposed": 0, "ready": 0, "active": 1, "completed": 2, "archived": 2,
}
OF_ITEM = {
    "queued": "todo", "ready": "todo", "running": "in_progress", "blocked": "blocked",
    "completed": "done", "cancelled": "cancelled", "failed": "failed",
}


def value(text):
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return text.split(" #", 1)[0].rstrip()


def parse(path):
    """Returns the front matter and the tasks of a file, each a dict with its line."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    front, tasks = {"line": 1}, []
    if not lines or lines[0] != "---":
        return front, tasks
    end = lines.index("---", 1) if "---" in lines[1:] else len(lines)
    start = end + 1
    if yaml:
        for key, known in yaml.safe_load("\n".join(lines[1:end])).items():
            front[key] = known if isinstance(known, list) else str(known)
    else:
        for line in lines[1:end]:
            field = FIELD.match(line)
            if field:
                front[field[1]] = value(field[2])
    heading, fence, task, described = None, None, None, None

    def end_description(number):
        if described is not None:
            tasks[-1]["description"] = "\n".join(lines[described:number]).strip()

    for number, line in enumerate(lines[start:], start + 1):
        if fence:
            if line.startswith(fence) and not line.strip(fence[0]):
                if task is not None:
                    tasks.append(task)
                    described = number
                fence = task = None
            elif task is not None:
                field = FIELD.match(line)
                if field:
                    task[field[1]] = value(field[2])
            continue
        mark = MARK.match(line)
        if not mark:
            continue
        if mark[1]:
            fence = mark[1]
            if mark[2] == "task":
                end_description(number - 1)
                described = None
                task = {"line": number, "heading": heading}
        else:
            end_description(number - 1)
            described = None
            heading = mark[4].rstrip("# ")
    end_description(len(lines))
    return front, tasks


def load():
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT w.key, l.link, w.kind, w.title, w.status, l.planning, l.description "
        "FROM work_items w JOIN workplan_links l ON l.item = w.key WHERE w.repo = ?",
        (repo,),
    ).fetchall()
    depends = connection.execute("SELECT item, depends_on FROM item_dependencies").fetchall()
    connection.close()
    return {row[0]: row for row in rows}, set(depends)


def compare(rows, depends, seen, key, fields, title, path, kind):
    """Yields what differs between a workplan or a task and its row."""
    line = fields["line"]
    if key in seen:
        yield path, line, "C-02", key, f"the id stands twice, in {seen[key]} too"
        return
    seen[key] = path
    row = rows.get(key)
    link = fields.get("state_hub_task_id" if kind == "task" else "state_hub_workstream_id")
    if row is None:
        yield path, line, "C-11" if kind == "task" else "C-06", key, "not in the database"
        return
    _, known_link, _, known_title, known_status, planning, description = row
    if not link:
        yield path, line, "C-11" if kind == "task" else "C-06", key, "it carries no link"
    elif link != known_link:
        yield path, line, "C-03", key, f"it carries {link}, the database has {known_link}"
    if title and title != known_title:
        yield path, line, "C-05", key, f"title {title!r}, the database has {known_title!r}"
    name = "priority" if kind == "task" else "planning_priority"
    priority = json.loads(planning).get(name)
    if fields.get(name) != priority:
        yield path, line, "C-19", key, f"priority {fields.get(name)}, database {priority}"
    waits = fields.get("depends_on", "")
    if isinstance(waits, str):
        waits = waits.strip("[]").replace(",", " ").split()
    for on in waits:
        if (key, on) not in depends:
            yield path, line, "C-20", key, f"it depends on {on}"
    if fields.get("description", "") != description:
        yield path, line, "C-22", key, "the database has another description"
    status = fields.get("status")
    if kind == "task":
        known = OF_ITEM[known_status]
        if status == known:
            return
        if RANK.get(status, 0) > RANK.get(known, 2):
            yield path, line, "C-10", key, f"the file is ahead: {status}, database {known}"
        else:
            yield path, line, "C-15", key, f"the database is ahead: {known}, file {status}"


def main():
    folder = os.path.join(root, "workplans")
    files = sorted(name for name in os.listdir(folder) if name.endswith(".md"))
    (rows, depends), seen, findings = load(), {}, []
    for name in files:
        path = f"workplans/{name}"
        front, tasks = parse(os.path.join(folder, name))
        if "id" not in front:
            findings.append((path, 1, "C-02", name, "no id"))
            continue
        plan, title = front["id"], front.get("title")
        findings += compare(rows, depends, seen, plan, front, title, path, "workplan")
        for task in tasks:
            if "id" not in task or "status" not in task:
                findings.append((path, task["line"], "C-02", plan, "a block without id or status"))
                continue
            title = task.get("title") or task["heading"]
            findings += compare(rows, depends, seen, task["id"], task, title, path, "task")
    for key in rows.keys() - seen.keys():
        code = "C-07" if rows[key][2] == "workplan" else "C-12"
        findings.append(("", 0, code, key, "no file has it"))
    for path, line, code, key, text in sorted(findings):
        print(f"{path}:{line}: {code} {key} {text}")


main()
