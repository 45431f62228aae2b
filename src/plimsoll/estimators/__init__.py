"""What do market data say, of the present and of the past?"""
