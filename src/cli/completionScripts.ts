// The scripts that `roster completion` prints. Each gives the words of the line to `roster complete`, which prints a
// candidate a line, with its meaning behind a tab.

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

// Bash cuts words at the characters of COMP_WORDBREAKS, which are in URLs and in keys (`a#@#b`), and replaces only the
// part behind the last one. So the line is cut at blanks here, and that part is taken off each candidate's front.
const BASH = `# bash completion for roster: source <(roster completion bash)
_roster() {
  local line="\${COMP_LINE:0:COMP_POINT}" typed prefix value about
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  typed="\${words[-1]}"
  prefix=""
  local at
  for ((at = \${#typed} - 1; at >= 0; at--)); do
    if [[ $COMP_WORDBREAKS == *"\${typed:at:1}"* ]]; then
      prefix="\${typed:0:at+1}"
      break
    fi
  done
  COMPREPLY=()
  while IFS=$'\\t' read -r value about; do
    COMPREPLY+=("\${value#"$prefix"}")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _roster roster
`;

const ZSH = `#compdef roster
# zsh completion for roster: source <(roster completion zsh), or a file _roster in a folder of $fpath
_roster() {
  local value about
  local -a candidates
  while IFS=$'\\t' read -r value about; do
    candidates+=("\${value//:/\\\\:}\${about:+:$about}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe roster candidates
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _roster ]]; then
  _roster "$@"
else
  compdef _roster roster
fi
`;

const FISH = `# fish completion for roster: roster completion fish | source
function __roster_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l found ($words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$typed"
    end
end
complete -c roster -f -a '(__roster_complete)'
`;

/** The script for a shell. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
