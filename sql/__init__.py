"""The database's text: schema.sql (today's truth), migrations/NNNN_name.sql and queries/*.sql. No code lives here."""
