"""Which calculations run on plain arrays, defined once and compiled beside?"""
