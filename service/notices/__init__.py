"""Notices to people: in the service, by mail, by a group's robot. Sent by the job process, never by a request."""
