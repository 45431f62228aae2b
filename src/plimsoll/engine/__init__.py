"""How does a venue move from event to event?"""
