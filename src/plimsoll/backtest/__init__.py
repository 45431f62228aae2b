"""Did a policy cover what it promised to cover, and at what cost?"""
