/**
 * For bash by itself. The scripts that libraries make want the package bash-completion, because bash breaks words at `:` and `=`, and
 * tasks are named `talos:apply-node NODE=cp-1`: this one takes the line apart itself. Bash 3.2, which macOS has, is enough.
 */
export const bashCompletion = `# bash completion for tk: source <(tk completion bash)
__tk_complete() {
  local line="\${COMP_LINE:0:COMP_POINT}" output directive candidate current typed
  local -a words
  read -r -a words <<< "$line"
  case "$line" in *[[:space:]]) words[\${#words[@]}]="" ;; esac
  current="\${words[\${#words[@]}-1]}"
  output="$(tk complete -- "\${words[@]:1}" 2>/dev/null)" || return 0
  directive="\${output##*:}"
  # What stands before the last break of the word is not part of what bash replaces.
  typed="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate="\${candidate%%$'\\t'*}"
    case "$candidate" in ""|:[0-9]*) continue ;; esac
    COMPREPLY[\${#COMPREPLY[@]}]="\${candidate#"$typed"}"
  done <<< "$output"
  if type compopt >/dev/null 2>&1; then
    if (( (directive & 2) != 0 )); then compopt -o nospace 2>/dev/null; fi
    if (( (directive & 4) == 0 )); then compopt -o default 2>/dev/null; fi
  fi
  return 0
}
complete -F __tk_complete tk
`;
