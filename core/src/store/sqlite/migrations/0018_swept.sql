-- The flag says that no sweep has anything more to look at in this session.
ALTER TABLE claude_sessions RENAME COLUMN settled TO swept;
