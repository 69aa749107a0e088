"""Completion scripts for four shells: static text, so that no TAB starts a program.

Each knows the commands, their options, and the words that an option or argument may be. What only a
running shunt knows (the names of accounts) is not completed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from shunt.cli.outline import Choice, Outline

FILES: Final = ("FILE", "PATH")
FOLDERS: Final = ("DIR", "FOLDER")
"""Metavars whose value is completed from the disk."""


def bash(root: Outline) -> str:
    """For `~/.local/share/bash-completion/completions/shunt`."""
    commands = "|".join(f'" {" ".join(each.path)}"' for each in root.walk() if each.path)
    lines = [
        "# bash completion for shunt; written by `shunt completions bash`",
        "_shunt() {",
        '    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path="" words="" i',
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "$path ${COMP_WORDS[i]}" in',
        f'            {commands}) path="$path ${{COMP_WORDS[i]}}" ;;',
        "        esac",
        "    done",
        '    case "$path $prev" in',
    ]
    for each in root.walk():
        for choice in each.options:
            pattern = "|".join(f'"{_spaced(each)} {name}"' for name in choice.names)
            if choice.words:
                lines.append(f'        {pattern}) words="{" ".join(choice.words)}" ;;')
            elif choice.value:
                flag = "-f" if _metavar(choice) in FILES else "-d" if _metavar(choice) in FOLDERS else ""
                reply = f'COMPREPLY=($(compgen {flag} -- "$cur")); ' if flag else ""
                lines.append(f"        {pattern}) {reply}return ;;")
    lines += ["    esac", '    if [[ -z $words ]]; then case "$path" in']
    for each in root.walk():
        words = [name for name, _ in _next_words(each)]
        lines.append(f'        "{_spaced(each)}") words="{" ".join(words)}" ;;')
    lines += [
        "    esac; fi",
        '    COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "}",
        "complete -o bashdefault -F _shunt shunt",
    ]
    return "\n".join(lines) + "\n"


def zsh(root: Outline) -> str:
    """For a file `_shunt` in a folder of `$fpath`."""
    commands = "|".join(f"'{_spaced(each)}'" for each in root.walk() if each.path)
    lines = [
        "#compdef shunt",
        "# zsh completion for shunt; written by `shunt completions zsh`",
        "_shunt() {",
        '    local at="" word i',
        "    local -a found",
        "    for ((i = 2; i < CURRENT; i++)); do",
        '        case "$at ${words[i]}" in',
        f'            {commands}) at="$at ${{words[i]}}" ;;',
        "        esac",
        "    done",
        '    case "$at ${words[CURRENT-1]}" in',
    ]
    for each in root.walk():
        for choice in each.options:
            pattern = "|".join(f"'{_spaced(each)} {name}'" for name in choice.names)
            if choice.words:
                lines.append(
                    f"        {pattern}) found=({' '.join(choice.words)}); _describe value found; return ;;"
                )
            elif choice.value:
                action = (
                    "_files"
                    if _metavar(choice) in FILES
                    else "_files -/"
                    if _metavar(choice) in FOLDERS
                    else ":"
                )
                lines.append(f"        {pattern}) {action}; return ;;")
    lines += ["    esac", '    case "$at" in']
    for each in root.walk():
        entries = " ".join(_single(f"{_colons(name)}:{about}") for name, about in _next_words(each))
        lines.append(f"        '{_spaced(each)}') found=({entries}) ;;")
    lines += ["    esac", "    _describe shunt found", "}"]
    # Sourced by hand there is no completion running yet; found through $fpath there is.
    lines += [
        'if [ "$funcstack[1]" = "_shunt" ]; then',
        '    _shunt "$@"',
        "else",
        "    compdef _shunt shunt",
        "fi",
    ]
    return "\n".join(lines) + "\n"


def fish(root: Outline) -> str:
    """For `~/.config/fish/completions/shunt.fish`."""
    commands = " ".join(_fish(_spaced(each)) for each in root.walk() if each.path)
    lines = [
        "# fish completion for shunt; written by `shunt completions fish`",
        "function __shunt_at",
        '    set -l at ""',
        "    for word in (commandline -opc)[2..]",
        f'        if contains -- "$at $word" {commands}',
        '            set at "$at $word"',
        "        end",
        "    end",
        '    test "$at" = "$argv[1]"',
        "end",
        "complete -c shunt -f",
    ]
    for each in root.walk():
        at = f"-n {_fish(f'__shunt_at {_fish(_spaced(each))}')}"
        lines += [
            f"complete -c shunt {at} -a {child.path[-1]} -d {_fish(child.about)}" for child in each.children
        ]
        for choice in each.choices:
            if not choice.is_option:
                if choice.words:
                    lines.append(f"complete -c shunt {at} -a {_fish(' '.join(choice.words))}")
                continue
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in choice.names
            )
            value = f" -x -a {_fish(' '.join(choice.words))}" if choice.words else _fish_value(choice)
            lines.append(f"complete -c shunt {at} {names}{value} -d {_fish(choice.about)}")
    return "\n".join(lines) + "\n"


def powershell(root: Outline) -> str:
    """For a PowerShell profile."""
    lines = [
        "# PowerShell completion for shunt; written by `shunt completions powershell`",
        "Register-ArgumentCompleter -Native -CommandName shunt -ScriptBlock {",
        "    param($wordToComplete, $commandAst, $cursorPosition)",
        "    $commands = @{",
    ]
    for each in root.walk():
        words = ", ".join(_ps(name) for name, _ in _next_words(each))
        lines.append(f"        {_ps(_spaced(each))} = @({words})")
    lines += ["    }", "    $values = @{"]
    for each in root.walk():
        for choice in each.options:
            for name in choice.names:
                if choice.words:
                    words = ", ".join(map(_ps, choice.words))
                    lines.append(f"        {_ps(f'{_spaced(each)} {name}')} = @({words})")
    lines += [
        "    }",
        "    $at = ''; $last = ''",
        "    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {",
        "        $word = $element.ToString()",
        "        if ($element.Extent.EndOffset -ge $cursorPosition) { break }",
        '        if ($commands.ContainsKey("$at $word")) { $at = "$at $word" }',
        "        $last = $word",
        "    }",
        '    $found = if ($values.ContainsKey("$at $last")) { $values["$at $last"] } else { $commands[$at] }',
        '    $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {',
        "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


SHELLS: Final[Mapping[str, Callable[[Outline], str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
    "powershell": powershell,
}


def _next_words(each: Outline) -> Iterator[tuple[str, str]]:
    """What may follow a command, with its meaning."""
    for child in each.children:
        yield child.path[-1], child.about
    for choice in each.choices:
        if choice.is_option:
            yield from ((name, choice.about) for name in choice.names if name.startswith("--"))
        else:
            yield from ((word, "") for word in choice.words)


def _spaced(each: Outline) -> str:
    """The path with a space before each word; empty for the program itself."""
    return "".join(f" {word}" for word in each.path)


def _metavar(choice: Choice) -> str:
    return choice.value.strip("[].")


def _fish_value(choice: Choice) -> str:
    if not choice.value:
        return ""
    if _metavar(choice) in (*FILES, *FOLDERS):
        return " -r -F"
    return " -x"


def _single(text: str) -> str:
    """Quoted for sh and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _colons(name: str) -> str:
    """A name as `_describe` wants it: its colons end no name."""
    return name.replace(":", "\\:")
