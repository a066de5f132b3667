"""All regions of a domain, by several methods that agree."""
