"""How is the margin engine run by contracts: their sources, compilation, and twin in integers?"""
