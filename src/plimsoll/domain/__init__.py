"""What are the things that a venue is made of?"""
