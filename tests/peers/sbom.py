"""Whether a file is CycloneDX, by the schema of those who make it: sbom.py FILE."""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1], encoding="utf-8").read()
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
if wrong:
    sys.exit(f"{sys.argv[1]}: {wrong}")
print(f"{sys.argv[1]} is CycloneDX 1.5")
