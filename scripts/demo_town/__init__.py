"""A synthetic but believable Longmen: ground, grids, shops, people and fourteen months of incidents.

Everything is drawn in a local plane (metres, x east, y north of `projection.ORIGIN`) and written as
WGS-84 longitude/latitude. One seed, one stream of chance per topic: a change in one module does not
shuffle the others.
"""
