-- Branches name items in any case.

CREATE INDEX work_items_key_of_any_case ON work_items (key COLLATE NOCASE);
