"""What is done with an account that falls short, and who pays what it cannot?"""
