"""Stand-ins for what lies outside: vendors, their token endpoints, clients, disks."""
