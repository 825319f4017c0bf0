"""What leaves the workbench: one content, as PDF, JSON, CSV and ZIP."""
