//! Scripts with the places they use, and scripts that use none.

use super::Access::{self, Reads, Writes};
use super::Language::{self, Go, JavaScript, Python, Ruby, Rust, Shell};

/// A script, and the line, field and access of each place in it.
pub(super) type Case = (Language, &'static str, &'static [(usize, &'static str, Access)]);

/// Scripts with every use in them.
pub(super) const PRESENT: &[Case] = &[
    (Python, "# adw\nstate.get('status')", &[(2, "status", Reads)]),
    (Python, "# adw\nx = state.get(\"current_phase\", 'init')", &[(2, "current_phase", Reads)]),
    (Python, "# adw\nif state[\"status\"] == 'x':\n    pass", &[(2, "status", Reads)]),
    (Python, "# adw\nstate['status'] = 'x'", &[(2, "status", Writes)]),
    (Python, "# adw\nstate.update(status='running')\nstate.save()", &[(2, "status", Writes)]),
    (
        Python,
        "from adw_modules.state import ADWState\nstate = ADWState.load(adw_id)\nphase = state.get('current_phase')",
        &[(3, "current_phase", Reads)],
    ),
    (
        Python,
        "s = ADWState(adw_id)\ns.update({'branch_name': b, 'status': 'x'})",
        &[(2, "status", Writes)],
    ),
    (Python, "status = ADWState.load(adw_id).get('status')", &[(1, "status", Reads)]),
    (
        Python,
        "def report(state: ADWState, log):\n    log.info(f\"now {state.get('status')}\")",
        &[(2, "status", Reads)],
    ),
    (
        Python,
        "import json\nwith open(f'agents/{adw_id}/adw_state.json') as f:\n    data = json.load(f)\nprint(data['status'])",
        &[(4, "status", Reads)],
    ),
    (
        Python,
        "with open('agents/x/adw_state.json') as f: data = json.load(f)\nif data.get('error_message'):\n    pass",
        &[(2, "error_message", Reads)],
    ),
    (
        Python,
        "p = os.path.join(root, 'agents', i, 'adw_state.json')\nd = json.loads(Path(p).read_text())\nd['completed_at'] = now()",
        &[(3, "completed_at", Writes)],
    ),
    (Python, "x = json.load(open('agents/a/adw_state.json'))['status']", &[(1, "status", Reads)]),
    (
        Python,
        "for path in glob.glob('agents/*/adw_state.json'):\n    with open(path) as f:\n        state = json.load(f)\n    if state.get('status') == 'failed':\n        n += 1",
        &[(4, "status", Reads)],
    ),
    (
        Python,
        "class Runner:\n    def __init__(self, i):\n        self.state = ADWState.load(i)\n    def done(self):\n        return self.state.get('status') == 'completed'",
        &[(5, "status", Reads)],
    ),
    (
        Python,
        "def f(state, logger):\n    # adw step\n    state.update(current_phase='test')",
        &[(3, "current_phase", Writes)],
    ),
    (Python, "s = ADWState.load(i)\ns.data['status'] = 'x'", &[(2, "status", Writes)]),
    (Python, "s = ADWState.load(i)\ns.setdefault('status', 'queued')", &[(2, "status", Writes)]),
    (
        Python,
        "json.dump({'adw_id': i, 'status': 'running'}, open('agents/a/adw_state.json', 'w'))",
        &[(1, "status", Writes)],
    ),
    (
        Python,
        "adw_state = fetch_it()\nraw = json.load(open(P + '/adw_state.json'))\ncopy = raw\ncopy['status']",
        &[(4, "status", Reads)],
    ),
    (
        Python,
        "STATE = Path('agents') / adw_id / 'adw_state.json'\nwith STATE.open() as fh:\n    cfg = json.load(fh)\ncfg['current_phase']",
        &[(4, "current_phase", Reads)],
    ),
    (
        Python,
        "from adw_helpers import load_adw_state\nstate = load_adw_state(i)\nif state.get('status') == 'x':\n    pass",
        &[(3, "status", Reads)],
    ),
    (
        Python,
        "s = ADWState.load(i)\na = getattr(s, 'status', None)\nsetattr(s, 'current_phase', 'x')",
        &[(2, "status", Reads), (3, "current_phase", Writes)],
    ),
    (
        Python,
        "def f(i):\n    data = ADWStateData(**json.load(open(f'agents/{i}/adw_state.json')))\n    return data.status",
        &[(3, "status", Reads)],
    ),
    (
        JavaScript,
        "const statePath = join(dir, 'adw_state.json');\nconst raw = await readFile(statePath, 'utf-8');\nconst state = JSON.parse(raw);\nswitch (state.status) {\n  default:\n}",
        &[(4, "status", Reads)],
    ),
    (JavaScript, "const now = ADWState.load(id)?.get(\"status\");", &[(1, "status", Reads)]),
    (
        Shell,
        "s=$(python3 -c \"import json;print(json.load(open('agents/$1/adw_state.json'))['status'])\")",
        &[(1, "status", Reads)],
    ),
    (
        JavaScript,
        "const state = JSON.parse(fs.readFileSync(`agents/${id}/adw_state.json`, 'utf8'));\nif (state.status === 'running') {\n  go();\n}",
        &[(2, "status", Reads)],
    ),
    (
        JavaScript,
        "const { adw_id, status } = require('./agents/a/adw_state.json');",
        &[(1, "status", Reads)],
    ),
    (
        JavaScript,
        "const s = JSON.parse(fs.readFileSync('adw_state.json'));\nfs.writeFileSync('adw_state.json', JSON.stringify({ ...s, status: 'x' }));",
        &[(2, "status", Writes)],
    ),
    (
        JavaScript,
        "const s = readJson('adw_state.json');\ns.status = 'failed';",
        &[(2, "status", Writes)],
    ),
    (
        Ruby,
        "s = JSON.parse(File.read(\"agents/#{id}/adw_state.json\"))\nputs s[\"status\"]",
        &[(2, "status", Reads)],
    ),
    (
        Ruby,
        "s = JSON.parse(File.read('adw_state.json'), symbolize_names: true)\ns[:status] = 'x' if s.fetch(:current_phase) == 'y'",
        &[(2, "status", Writes), (2, "current_phase", Reads)],
    ),
    (
        Go,
        "func main() {\n\tdata, err := os.ReadFile(filepath.Join(\"agents\", id, \"adw_state.json\"))\n\tvar state State\n\tif err := json.Unmarshal(data, &state); err != nil {\n\t\treturn\n\t}\n\tfmt.Println(state.Status)\n}",
        &[(7, "status", Reads)],
    ),
    (
        Rust,
        "fn f() -> R {\n    let text = fs::read_to_string(\"agents/a/adw_state.json\")?;\n    let state: Value = serde_json::from_str(&text)?;\n    if state[\"status\"] == \"running\" {}\n    Ok(())\n}",
        &[(4, "status", Reads)],
    ),
    (Shell, "jq -r .status agents/$ID/adw_state.json", &[(1, "status", Reads)]),
    (
        Shell,
        "STATUS=$(jq -r '.status // empty' \"agents/${ID}/adw_state.json\")",
        &[(1, "status", Reads)],
    ),
    (
        Shell,
        "F=agents/$1/adw_state.json\nif [ \"$(jq -r '.current_phase' \"$F\")\" = build ]; then\n  go\nfi",
        &[(2, "current_phase", Reads)],
    ),
    (Shell, "cat agents/a/adw_state.json | \\\n  jq '.[\"status\"]'", &[(2, "status", Reads)]),
    (
        Shell,
        "jq '.status = \"done\"' adw_state.json > t && mv t adw_state.json",
        &[(1, "status", Writes)],
    ),
    (Shell, "grep '\"status\": \"running\"' agents/*/adw_state.json", &[(1, "status", Reads)]),
    (
        Shell,
        "python3 - <<'EOF'\nimport json\ns = json.load(open('adw_state.json'))\nprint(s['status'])\nEOF\necho done",
        &[(4, "status", Reads)],
    ),
    (
        Shell,
        "      - run: jq -e '.status == \"completed\"' agents/a/adw_state.json",
        &[(1, "status", Reads)],
    ),
];

/// Scripts that use no field of the file.
pub(super) const ABSENT: &[(Language, &str)] = &[
    (Python, "repo.update_status(queue_id=q, status='running', adw_id=i)"),
    (
        Python,
        "workflow = repo.find_by_issue_number(170)\nstatus = workflow.status\nphase = workflow.current_phase",
    ),
    (
        Python,
        "state = ADWState.load(i)\nworktree = state.get('worktree_path')\nbranch = state['branch_name']",
    ),
    (Python, "state = ADWState.load(i)\n# never state.get('status')\nx = 1"),
    (
        Python,
        "with open('adw_state.json') as f:\n    state = json.load(f)\nif 'status' in state:\n    violations.append(path)",
    ),
    (
        Python,
        "state = json.load(open('adw_state.json'))\nstate.pop('status', None)\ndel state['current_phase']",
    ),
    (
        Python,
        "state = ADWState.load(i)\nresult = state.get('external_build_results')\nif result['status'] == 'ok':\n    pass",
    ),
    (
        Python,
        "state = ADWState.load(i)\nresponse = client.get(state.get('github_url'))\nprint(response.status)",
    ),
    (
        Python,
        "def f():\n    data = json.load(open('adw_state.json'))\n    return data['adw_id']\n\ndef g():\n    data = requests.get(url).json()\n    return data['status']",
    ),
    (Python, "data = json.load(open('adw_state.json'))\ndata = api.fetch()\nprint(data['status'])"),
    (Python, "class Game:\n    def tick(self, state):\n        return state.get('status')"),
    (Python, "# adw\ndef f(rows):\n    state = rows.first()\n    return state.get('status')"),
    (Python, "s = ADWState.load(i)\nif hasattr(s, 'status') or getattr(row, 'status'):\n    pass"),
    (
        Shell,
        "python3 -c \"import json;print(json.load(open('agents/$1/adw_state.json'))['adw_id'])\"",
    ),
    (Python, "state = machine.current()\nif state['status'] == 'open':\n    pass"),
    (Python, "def f(state: OrderState):\n    return state.get('status')"),
    (Python, "status = 'running'\nprint(status)"),
    (Python, "state.update(branch_name='b')\nlog(status='x')"),
    (
        Python,
        "result = subprocess.run(['git', 'add', 'agents/a/adw_state.json'])\nprint(result.status)",
    ),
    (Python, "state = ADWState.load(i)\nupdate(issue=state.get('issue_number'), status='done')"),
    (Python, "shipped = json.load(open('queue.json'))\nshipped['status'] = 'x'"),
    (
        Python,
        "# adw\nparser.add_argument('--status', help='state.status')\nstate.save(workflow_step='Build')",
    ),
    (
        JavaScript,
        "const res = await fetch(url);\nif (res.status !== 200) throw new Error('adw_state.json not found');",
    ),
    (
        JavaScript,
        "const r = spawnSync('git', ['add', 'adw_state.json']);\nif (r.status !== 0) process.exit(1);",
    ),
    (
        JavaScript,
        "function reducer(state, action) {\n  switch (action.type) {\n    case 'x': return { ...state, status: 'y' };\n  }\n  return state.status;\n}",
    ),
    (
        JavaScript,
        "const s = JSON.parse(fs.readFileSync('adw_state.json'));\nconst row = db.get(s.issue_number);\nif (row.status === 'x') go();",
    ),
    (
        JavaScript,
        "const s = JSON.parse(fs.readFileSync('adw_state.json'));\ndelete s.status;\ndelete s['current_phase'];",
    ),
    (
        JavaScript,
        "const s = JSON.parse(fs.readFileSync('adw_state.json'));\nconsole.log(s.external_build_results.status);",
    ),
    (JavaScript, "/* s.status of adw_state.json */\nconst s = load();\n// s.status\ns.name;"),
    (JavaScript, "const url = `/api/status?file=adw_state.json`;\nconst status = await get(url);"),
    (
        Ruby,
        "s = JSON.parse(File.read('adw_state.json'))\nrow = Queue.find(s['issue_number'])\nputs row['status']",
    ),
    (Go, "resp, err := http.Get(url)\nif resp.Status != \"200 OK\" {\n\treturn\n}"),
    (
        Go,
        "data, _ := os.ReadFile(\"adw_state.json\")\nvar s State\njson.Unmarshal(data, &s)\nfmt.Println(s.WorktreePath, row.Status)",
    ),
    (
        Rust,
        "let out = Command::new(\"git\").args([\"add\", \"adw_state.json\"]).output()?;\nif out.status.success() {}",
    ),
    (Rust, "let state: Value = serde_json::from_str(&text)?;\nstate[\"status\"].as_str()"),
    (Shell, "jq -r .worktree_path agents/$ID/adw_state.json"),
    (Shell, "jq 'del(.status)' adw_state.json"),
    (Shell, "jq -r .external_build_results.status agents/a/adw_state.json"),
    (Shell, "jq -r .status package.json"),
    (Shell, "# jq .status adw_state.json"),
    (Shell, "git status --short agents/a/adw_state.json"),
    (
        Shell,
        "trueup meta get $ID worktree_path && trueup queue list --json | jq .data.rows[0].status",
    ),
];

/// Uses that the search does not find.
pub(super) const MISSED: &[(Language, &str)] = &[
    (
        Python,
        "s = ADWState.load(adw_id)\ns.update(\n    worktree_path='/w',\n    status='planned',\n    current_phase='plan',\n)",
    ),
    (
        Python,
        "def load_state(i):\n    with open(f'agents/{i}/adw_state.json') as f:\n        return json.load(f)\n\ndef main():\n    s = load_state('a')\n    print(s.get('status'))",
    ),
    (
        Python,
        "def main():\n    print(load_state('a')['status'])\n\ndef load_state(i):\n    return json.loads(Path('agents', i, 'adw_state.json').read_text())",
    ),
    (
        JavaScript,
        "const p = path.join('agents', id, 'adw_state.json')\nconst s = JSON.parse(\n  fs.readFileSync(p, 'utf8')\n)\ns['current_phase'] = 'build'",
    ),
    (
        JavaScript,
        "async function load(id) {\n  const text = await fs.readFile(`agents/${id}/adw_state.json`);\n  return JSON.parse(text);\n}\nasync function main() {\n  const s = await load('a');\n  console.log(`is ${s?.status}`);\n}",
    ),
    (
        JavaScript,
        "const load = (id) => JSON.parse(fs.readFileSync(`${id}/adw_state.json`));\nconst done = load('a').status === 'completed';",
    ),
];

/// Places that are found and use no field of the file.
pub(super) const FALSE_ALARMS: &[Case] = &[
    (
        Python,
        "state = ADWState.load(i)\nraise ValueError(\"use the database, not state.get('status')\")",
        &[(2, "status", Reads)],
    ),
    (
        Python,
        "\"\"\"ADWState: state.get('status') is wrong.\"\"\"\nstate = ADWState.load(i)",
        &[(1, "status", Reads)],
    ),
    (
        Python,
        "def f():\n    data = json.load(open('adw_state.json'))\n\ndef g(data):\n    return data['status']",
        &[(5, "status", Reads)],
    ),
    (
        Shell,
        "echo \"see adw_state.json\"; systemctl status x | grep '\"status\"'",
        &[(1, "status", Reads)],
    ),
];
