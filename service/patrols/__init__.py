"""Patrols: who walked which grids when, whether or not something was found."""
