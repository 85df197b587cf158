; Headings of a document, in order. Sections, text and links are read between them.
(atx_heading) @heading
(setext_heading) @heading
