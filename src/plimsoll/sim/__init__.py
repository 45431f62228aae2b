"""How does a crash run through a venue, and what does it cost whom?"""
