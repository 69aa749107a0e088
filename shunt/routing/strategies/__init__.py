"""Every strategy, the default first. A new one is a file here and a name in this tuple."""

from shunt.routing.strategies.carousel import CAROUSEL
from shunt.routing.strategies.cushion import CUSHION
from shunt.routing.strategies.maximus import MAXIMUS
from shunt.routing.strategies.priority import PRIORITY
from shunt.routing.strategies.reaper import REAPER

STRATEGIES = (MAXIMUS, REAPER, CUSHION, CAROUSEL, PRIORITY)
