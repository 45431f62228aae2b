"""How does a venue run the engine as a process that others can ask?"""
