"""Questions about networks, answered exactly and with evidence."""
