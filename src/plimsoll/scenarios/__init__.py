"""Which named crashes and hypothetical stresses can a policy be tried on?"""
