"""Says what stands in a PDF, in JSON: its title, language, whether it is tagged and says that it is
accessible (PDF/UA), how many pages it has, and its text without its line breaks."""

import io
import json
import sys

from pypdf import PdfReader

reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
root = reader.trailer["/Root"]
metadata = root["/Metadata"].get_data().decode() if "/Metadata" in root else ""
print(json.dumps({
    "title": reader.metadata.title,
    "language": root.get("/Lang"),
    "tagged": bool(root.get("/MarkInfo", {}).get("/Marked")),
    "accessible": "pdfuaid:part" in metadata,
    "pages": len(reader.pages),
    "text": " ".join(" ".join(page.extract_text() for page in reader.pages).split()),
}))
