//! What is special to a store in a PostgreSQL database.
