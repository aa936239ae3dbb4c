-- Names that providers mint (responses, conversations, background work), and where they live.
SELECT 1; -- to be replaced
