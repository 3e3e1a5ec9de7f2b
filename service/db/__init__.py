"""The database: a GeoPackage by default, PostgreSQL with PostGIS when bigger."""
