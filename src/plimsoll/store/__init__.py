"""How is what happened kept?"""
