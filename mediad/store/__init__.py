"""Everything that talks to PostgreSQL, and the only place that imports psycopg.

database: a writer and some readers over connection (opening, segments), one libpq connection in pipeline mode.
queries: named statements from sql/queries. values, faults: what goes in and comes out, what goes wrong.
migrate, script: sql/migrations. cluster: the private PostgreSQL (postmaster, programs, account: its process, which one
it is, as whom it runs)."""
