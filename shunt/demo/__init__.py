"""`shunt run --demo`: a simulated vendor on a loopback port and three accounts that run dry within minutes."""
