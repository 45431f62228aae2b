"""How do market data become risk parameters with a stated target?"""

from plimsoll.calibration.calibrator import CalibratorState, absorb, begin, calibrate, propose

__all__ = ["CalibratorState", "absorb", "begin", "calibrate", "propose"]
