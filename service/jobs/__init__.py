"""The job process: what pages start and what the clock starts, one after the other, never half."""
