DROP TABLE redeploys;
DROP TABLE deployments;
DROP TRIGGER integrations_end_mcp_selection ON integrations;
DROP FUNCTION end_mcp_selection();
DROP TABLE mcp_selections;
