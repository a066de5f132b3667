"""Published statements about activation regions, each decided with evidence."""
