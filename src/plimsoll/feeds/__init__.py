"""How do prices from files and exchanges reach the engine?"""
