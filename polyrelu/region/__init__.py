"""One region: H-representation, exact linear programs, facets, vertices, rays and queries."""
