"""The REST API and the routes that set the session cookie."""
