"""The service principal of the configuration application, which carries job, settings and assignments."""
