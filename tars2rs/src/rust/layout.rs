//! How rustfmt (default settings) breaks the constructs that generated code is made of.
//!
//! Every function takes the indentation of the line it starts, and gives lines that start with it and end without a
//! line end. What no rule here fits is marked [`SKIP`] by [`mark_too_wide`].

use std::borrow::Cow;

/// `max_width`
const WIDTH: usize = 100;
/// `fn_call_width`, `chain_width` and `array_width`, which are the same.
const SMALL_WIDTH: usize = 60;
/// `struct_lit_width`
const LITERAL_WIDTH: usize = 18;

/// `short_array_element_width_threshold`, which goes for arguments as well.
const SHORT_WIDTH: usize = 10;
/// What an import on one line may take.
const IMPORT_WIDTH: usize = WIDTH - 2;

const STEP: usize = 4;

/// Makes rustfmt leave an item as it is. `#[rustfmt::skip]` alone would not be found below `#[no_implicit_prelude]`.
pub(crate) const SKIP: &str = "#[cfg_attr(any(), rustfmt::skip)]";

/// `head(a, b)tail` of a function call.
pub(crate) fn call(indent: usize, head: &str, args: &[String], tail: &str) -> String {
    let start = blanks(indent);
    let inner = args.join(", ");
    if width(&inner) <= SMALL_WIDTH {
        let line = [&start, head, "(", &inner, ")", tail].concat();
        if width(&line) <= WIDTH {
            return line;
        }
    }
    let short = args.iter().all(|arg| width(arg) <= SHORT_WIDTH);
    let args = if short {
        filled(indent + STEP, args)
    } else {
        lines(indent + STEP, args, ",")
    };
    format!("{start}{head}(\n{args}{start}){tail}")
}

/// `head(a, b)` as an item of a list or literal, without the indentation of its first line and the comma.
pub(crate) fn item_call(indent: usize, head: &str, args: &[String]) -> String {
    let line = call(indent, head, args, ",");
    line.trim_start().trim_end_matches(',').to_owned()
}

/// `head(a, || b)` without the indentation of its first line; the closure comes last.
pub(crate) fn call_with_closure(indent: usize, head: &str, args: &[String]) -> String {
    let inner = args.join(", ");
    let line = [head, "(", &inner, ")"].concat();
    match inner.split_once("|| ") {
        Some((before, body))
            if width(&inner) > SMALL_WIDTH || indent + width(&line) + 1 > WIDTH =>
        {
            let (start, step) = (blanks(indent), blanks(indent + STEP));
            format!("{head}({before}|| {{\n{step}{body}\n{start}}})")
        }
        _ => line,
    }
}

/// `head` and `receiver.read.method(a, b)`, without the indentation of its first line.
pub(crate) fn second_call(
    indent: usize,
    head: &str,
    (receiver, read): (&str, &str),
    method: &str,
    args: &[String],
) -> String {
    let line = format!("{receiver}{read}{method}({})", args.join(", "));
    if width(&line) <= SMALL_WIDTH && indent + width(head) + width(&line) < WIDTH {
        return format!("{head}{line}");
    }
    let step = blanks(indent + STEP);
    let call = self::call(indent + STEP, method, args, "");
    // Where the second call is broken anyway, rustfmt breaks nothing else.
    let open = format!("{receiver}{read}{method}(");
    if call.contains('\n')
        && width(&open) <= SMALL_WIDTH
        && indent + width(head) + width(&open) <= WIDTH
    {
        let call = self::call(indent, &format!("{receiver}{read}{method}"), args, "");
        return format!("{head}{}", call.trim_start());
    }
    // rustfmt takes the first call along where that saves no column.
    if width(head) + width(receiver) <= STEP {
        return format!("{head}{receiver}{read}\n{call}");
    }
    format!("{head}{receiver}\n{step}{read}\n{call}")
}

/// The head of a function: `head(a, b)tail`.
pub(crate) fn signature(indent: usize, head: &str, params: &[String], tail: &str) -> String {
    let line = format!("{}{head}({}){tail}", blanks(indent), params.join(", "));
    if width(&line) == WIDTH && tail.ends_with(';') {
        // Here rustfmt forgets the semicolon until it is too late, and what it then does depends on the edition.
        return format!("{}{SKIP}\n{line}", blanks(indent));
    }
    if width(&line) <= WIDTH {
        return line;
    }
    let start = blanks(indent);
    let mut last = format!("{start}){tail}");
    // rustfmt counts the indentation twice here.
    if width(&last) + indent > WIDTH
        && let Some(without) = last.strip_suffix(" {")
    {
        last = format!("{without}\n{start}{{");
    }
    format!(
        "{start}{head}(\n{}{last}",
        lines(indent + STEP, params, ",")
    )
}

/// `head { a, b }tail` of a struct.
pub(crate) fn literal(indent: usize, head: &str, fields: &[String], tail: &str) -> String {
    let inner = fields.join(", ");
    if fields.is_empty() {
        return format!("{}{head} {{}}{tail}", blanks(indent));
    }
    if width(&inner) <= LITERAL_WIDTH {
        return format!("{}{head} {{ {inner} }}{tail}", blanks(indent));
    }
    format!(
        "{}{head} {{\n{}{}}}{tail}",
        blanks(indent),
        lines(indent + STEP, fields, ","),
        blanks(indent)
    )
}

/// `&[a, b]` as an argument, whose first line stands behind something else.
pub(crate) fn list(indent: usize, items: &[String]) -> String {
    let inner = items.join(", ");
    if width(&inner) <= SMALL_WIDTH && !inner.contains('\n') {
        return format!("&[{inner}]");
    }
    let items = lines(indent + STEP, items, ",");
    format!("&[\n{items}{}]", blanks(indent))
}

/// Whether rustfmt would break a list inside of its only item, in a way that depends on the edition.
pub(crate) fn breaks_inside(items: &[String]) -> bool {
    matches!(items, [only] if width(only) > SMALL_WIDTH || only.contains('\n'))
}

/// `head = &[a, b];`
pub(crate) fn array(indent: usize, head: &str, items: &[String]) -> String {
    let inner = items.join(", ");
    if width(&inner) <= SMALL_WIDTH {
        return assign(indent, head, &format!("&[{inner}];"));
    }
    format!(
        "{}{head} = &[\n{}{}];",
        blanks(indent),
        lines(indent + STEP, items, ","),
        blanks(indent)
    )
}

/// `#[derive(A, B)]` of a type that is not in a block.
pub(crate) fn derive(names: &[String]) -> String {
    let line = format!("#[derive({})]", names.join(", "));
    if width(&line) <= WIDTH {
        return line;
    }
    format!("#[derive(\n{})]", filled(STEP, names))
}

/// `head = value`, the value on its own line when the first is too short for both.
pub(crate) fn assign(indent: usize, head: &str, value: &str) -> String {
    let line = [&blanks(indent), head, " = ", value].concat();
    if width(&line) <= WIDTH {
        return line;
    }
    let second = [&blanks(indent + STEP), value].concat();
    if width(&second) > WIDTH {
        return line;
    }
    format!("{}{head} =\n{second}", blanks(indent))
}

/// `pub name: Type,`
pub(crate) fn field(indent: usize, name: &str, ty: &str) -> String {
    let line = [&blanks(indent), "pub ", name, ": ", ty, ","].concat();
    if width(&line) <= WIDTH {
        return line;
    }
    format!(
        "{}pub {name}:\n{}{ty},",
        blanks(indent),
        blanks(indent + STEP)
    )
}

/// `head` + `receiver.method(args).await?;`
pub(crate) fn await_call(
    indent: usize,
    head: &str,
    receiver: &str,
    method: &str,
    args: &[String],
) -> String {
    let chain = format!("{receiver}.{method}({}).await?", args.join(", "));
    let line = format!("{}{head}{chain};", blanks(indent));
    // The semicolon counts as a part of the chain.
    if width(&chain) < SMALL_WIDTH && width(&line) <= WIDTH {
        return line;
    }
    let step = blanks(indent + STEP);
    let call = call(indent + STEP, &format!(".{method}"), args, "");
    format!(
        "{}\n{call}\n{step}.await?;",
        broken_receiver(indent, head, receiver)
    )
}

/// `head` + `receiver.call(name, |args| { puts }).await?;`
pub(crate) fn await_call_with_block(
    indent: usize,
    head: &str,
    receiver: &str,
    call: &str,
    block: &[String],
) -> String {
    let step = blanks(indent + STEP);
    let receiver = broken_receiver(indent, head, receiver);
    let block: String = block.iter().map(|line| format!("{line}\n")).collect();
    format!("{receiver}\n{step}.{call} {{\n{block}{step}}})\n{step}.await?;")
}

/// `receiver.a().b()` as the value of a block.
pub(crate) fn chain(indent: usize, receiver: &str, calls: &[String]) -> String {
    let start = blanks(indent);
    let line = format!("{receiver}{}", calls.concat());
    if width(&line) <= SMALL_WIDTH {
        return format!("{start}{line}");
    }
    let step = blanks(indent + STEP);
    let calls: String = calls.iter().map(|call| format!("\n{step}{call}")).collect();
    format!("{start}{receiver}{calls}")
}

/// A chain of `self` takes its first member along only where nothing is before it.
fn broken_receiver(indent: usize, head: &str, receiver: &str) -> String {
    let start = blanks(indent);
    match receiver.split_once('.') {
        Some((root, member)) if !head.is_empty() => {
            format!("{start}{head}{root}\n{}.{member}", blanks(indent + STEP))
        }
        _ => format!("{start}{head}{receiver}"),
    }
}

/// `use path::{a, b};`, sorted by the caller.
pub(crate) fn import(path: &str, names: &[String]) -> String {
    if let [name] = names {
        return format!("use {path}::{name};");
    }
    let line = format!("use {path}::{{{}}};", names.join(", "));
    if width(&line) <= IMPORT_WIDTH {
        return line;
    }
    format!("use {path}::{{\n{}}};", filled(STEP, names))
}

/// Lines of as many items as fit. The comma of the last one does not count.
fn filled(indent: usize, items: &[String]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for (index, item) in items.iter().enumerate() {
        let comma = usize::from(index + 1 < items.len());
        if column > 0 && column + 1 + width(item) + comma < WIDTH {
            text.push(' ');
            column += 1;
        } else {
            text.push_str(if column > 0 { "\n" } else { "" });
            text.push_str(&blanks(indent));
            column = indent;
        }
        text.push_str(item);
        text.push(',');
        column += width(item) + 1;
    }
    text.push('\n');
    text
}

/// Lines of a group that rustfmt sorts, as sorted by the caller.
///
/// The styles of the editions 2021 and 2024 differ on digits, raw names, names of capitals only and those with capitals and
/// `_`. Where they might, each line gets a group of its own.
pub(crate) fn group(items: Vec<String>) -> String {
    let clear = items.len() < 2
        || items.iter().all(|item| {
            item.lines()
                .all(|line| line.trim_start().starts_with("//") || sorts_alike(line))
        });
    items.join(if clear { "\n" } else { "\n\n" }) + "\n"
}

/// Whether all styles sort names like this one in the same way.
pub(crate) fn sorts_alike(text: &str) -> bool {
    let is_unclear = |name: &str| {
        let has_capitals = name.contains(char::is_uppercase);
        let capitals_only = !name.is_empty() && !name.contains(char::is_lowercase);
        capitals_only || (has_capitals && name.contains('_'))
    };
    let mut names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    !text.contains(|c: char| c.is_ascii_digit() || c == '#') && !names.any(is_unclear)
}

/// Marks the items that have a line which rustfmt would want to break.
pub(crate) fn mark_too_wide(text: String) -> String {
    // No line has more columns than bytes.
    if text.lines().all(|line| line.len() <= WIDTH) {
        return text;
    }
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let mark = |item: &str| {
        if item
            .lines()
            .filter(|line| !is_comment(line))
            .all(|line| width(line) <= WIDTH)
        {
            return item.to_owned();
        }
        let doc: usize = item
            .split_inclusive('\n')
            .take_while(is_comment)
            .map(str::len)
            .sum();
        format!("{}{SKIP}\n{}", &item[..doc], &item[doc..])
    };
    // Inside of items, what follows an empty line is indented.
    let mut items = Vec::new();
    let mut rest = text.as_str();
    while let Some(end) = rest
        .match_indices("\n\n")
        .map(|(at, _)| at + 2)
        .find(|&at| !rest[at..].starts_with(' '))
    {
        items.push(mark(&rest[..end]));
        rest = &rest[end..];
    }
    items.push(mark(rest));
    items.concat()
}

fn lines(indent: usize, items: &[String], end: &str) -> String {
    let start = blanks(indent);
    let mut text = String::new();
    for item in items {
        text.extend([&start, item.as_str(), end, "\n"]);
    }
    text
}

fn blanks(count: usize) -> Cow<'static, str> {
    const BLANKS: &str = "                                ";
    match BLANKS.get(..count) {
        Some(blanks) => Cow::Borrowed(blanks),
        None => Cow::Owned(" ".repeat(count)),
    }
}

/// Columns, as rustfmt counts them: East Asian characters take two.
fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars()
        .map(|c| if c >= '\u{1100}' { 2 } else { 1 })
        .sum()
}
