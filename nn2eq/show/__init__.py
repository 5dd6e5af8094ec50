"""How networks and programs show themselves."""
