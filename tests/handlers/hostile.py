"""Text that customers may have in any field, and that must break nothing."""

HOSTILE = {
    "mention": "<!channel> <!here> <@U0ANNA> <#C0PAYMENTS> @everyone",
    "link": "<https://evil.example|Stripe> [Stripe](https://evil.example)",
    "markup": "*bold* _it_ ~no~ `code` ```pre``` > quote :tada: & &amp; </b>",
    "right_to_left": "\u202eevil\u2067 שלום עולם \u2069\u2069 مرحبا",
    "formula": "=HYPERLINK(1)",
    "long": "Very Long Name " * 667,
    "one_long_word": "W" * 10_000,
    "emoji": "👩‍👩‍👧‍👦" * 400,
    "combining": "Z̷̨̛͚̪" + "\u0301" * 5_000,
    "only_combining": "\u0301" * 5_000,
    "astral": "𝕬" * 5_000,
    "line_separators": "one\u2028two\u2029three\u0085four",
    "quotes": "'\"`\\ {}[]|%s {0}",
    "blank_inside": "a" + "\u00a0" * 50 + "b",
    "zero_width": "\u200b",
}
