"""Working time: the calendar of days with holidays and make-up days, office hours, and deadlines counted in them."""
