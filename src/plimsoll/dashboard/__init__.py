"""How does a risk desk look at a running venue?"""
