"""The least of Office files that a program would open."""

import io
import zipfile


def archive(members: dict[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return held.getvalue()


def related(**targets: str) -> str:
    each = "".join(
        f'<Relationship Id="{i}" Type="http://x/{k}" Target="{t}"/>' for i, (k, t) in enumerate(targets.items())
    )
    return f'<Relationships xmlns="r">{each}</Relationships>'


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(body: str, **more: str | bytes) -> bytes:
    styles = f"""<w:styles xmlns:w="{W}"><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
      <w:style w:styleId="Own"><w:name w:val="Company Section"/><w:basedOn w:val="H2"/></w:style>
      <w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>
      <w:style w:styleId="T"><w:name w:val="toc 1"/></w:style>
      <w:style w:styleId="C"><w:name w:val="Source Code"/></w:style></w:styles>"""
    numbering = f"""<w:numbering xmlns:w="{W}">
      <w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>
        <w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
      <w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num></w:numbering>"""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return archive(
        {
            "[Content_Types].xml": f'<Types><Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
            "_rels/.rels": related(officeDocument="word/document.xml"),
            "word/_rels/document.xml.rels": related(
                styles="styles.xml", numbering="numbering.xml", footnotes="footnotes.xml"
            ),
            "word/styles.xml": styles,
            "word/numbering.xml": numbering,
            "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
            **more,
        }
    )


def p(text: str, style: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f'<w:p><w:pPr>{named}{more}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def item(text: str, level: int) -> str:
    return p(text, more=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="3"/></w:numPr>')
