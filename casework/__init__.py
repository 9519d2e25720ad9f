"""What people do about data, with clocks (办理): requests and their approval, tickets, door checks, disputes, lights, scorecards.

Each act is a function with the clock, the actor and the session as arguments. What describes data stands in `catalog`, the way to
residents' data in `access`.
"""
