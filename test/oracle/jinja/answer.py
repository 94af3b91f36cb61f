"""Answers template cases with Jinja2 itself: JSON cases on stdin, JSON answers on stdout.

Run it with the Python that has jinja2 3.1.6 (`python-jinja` of the oracle installer). A case is
{"template", "data", "options", "templates"}; an answer is {"text"} or {"error": {"kind", "message", "line"}}.
"""

import json
import sys

from jinja2 import ChainableUndefined, DebugUndefined, DictLoader, Environment, StrictUndefined, TemplateError, Undefined

UNDEFINED = {"default": Undefined, "chainable": ChainableUndefined, "debug": DebugUndefined, "strict": StrictUndefined}
EXTENSIONS = {"do": "jinja2.ext.do", "loopcontrols": "jinja2.ext.loopcontrols"}
DELIMITERS = {
    "makejinja": {
        "block_start_string": "#%",
        "block_end_string": "%#",
        "variable_start_string": "#{",
        "variable_end_string": "}#",
        "comment_start_string": "#|",
        "comment_end_string": "#|",
    }
}


def line_of(error):
    if getattr(error, "lineno", None):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>",) or trace.tb_frame.f_globals.get("__jinja_template__") is not None:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def answer(case):
    options = case.get("options", {})
    is_makejinja = options.get("dialect") == "makejinja"
    environment = Environment(
        undefined=UNDEFINED[options.get("undefined", "default")],
        extensions=[EXTENSIONS[name] for name in options.get("extensions", [])],
        trim_blocks=options.get("trimBlocks", is_makejinja),
        lstrip_blocks=options.get("lstripBlocks", is_makejinja),
        keep_trailing_newline=options.get("keepTrailingNewline", is_makejinja),
        autoescape=options.get("autoescape", False),
        loader=DictLoader(case.get("templates", {})),
        **DELIMITERS.get(options.get("dialect"), {}),
    )
    try:
        template = environment.from_string(case["template"])
        return {"text": template.render(case.get("data", {}))}
    except Exception as error:
        message = error.message if isinstance(error, TemplateError) else str(error)
        return {"error": {"kind": type(error).__name__, "message": message, "line": line_of(error)}}


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout, indent=1, ensure_ascii=True)
