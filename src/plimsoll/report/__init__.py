"""How is what happened shown to a person: on a terminal, and as one HTML page?"""
