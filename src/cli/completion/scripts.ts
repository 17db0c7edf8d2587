export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

// Bash cuts its words at = and : too: they are put together again, and what stands before is not offered twice.
// No `mapfile`: the bash of macOS has none.
const bash = `# Completion of weir for bash: source <(weir completion bash)
_weir() {
  local -a words=()
  local at word last joined='' current='' before='' value description file
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    last=$((\${#words[@]} - 1))
    if [[ -n $word && $last -ge 0 && ( $word == [=:]* || -n $joined ) ]]; then
      words[last]="\${words[last]}$word"
    else
      words+=("$word")
    fi
    joined=''
    if [[ $word == *[=:] ]]; then joined=yes; fi
  done
  last=$((\${#words[@]} - 1))
  if ((last >= 0)); then current="\${words[last]}"; fi
  if [[ $current == *[=:]* ]]; then before="\${current%"\${current##*[=:]}"}"; fi
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    case "$value" in
      :files | :folders)
        compopt -o filenames 2> /dev/null
        local kind=-f
        if [[ $value == :folders ]]; then kind=-d; fi
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "$kind" -- "\${current#"$before"}")
        ;;
      *) COMPREPLY+=("\${value#"$before"}") ;;
    esac
  done < <(weir complete -- "\${words[@]}" 2> /dev/null)
}
complete -F _weir weir
`;

const zsh = `#compdef weir
# Completion of weir for zsh: source <(weir completion zsh), or a file _weir in a folder of fpath
_weir() {
  local -a values shown
  local value description
  while IFS=$'\\t' read -r value description; do
    case "$value" in
      :files) _files; return ;;
      :folders) _files -/; return ;;
      ?*)
        values+=("$value")
        shown+=("$value\${description:+  $description}")
        ;;
    esac
  done < <(weir complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
  compadd -l -d shown -a values
}
if [[ "\${funcstack[1]}" == _weir ]]; then
  _weir "$@"
else
  compdef _weir weir
fi
`;

const fish = `# Completion of weir for fish: weir completion fish > ~/.config/fish/completions/weir.fish
function __weir_complete
    set -l words (commandline -opc)
    set -a words (commandline -ct | string collect --allow-empty)
    for line in (weir complete -- $words[2..-1] 2> /dev/null)
        switch "$line"
            case ':files' ':folders'
                __fish_complete_path (commandline -ct)
            case '*'
                printf '%s\\n' "$line"
        end
    end
end
complete -c weir -f -a '(__weir_complete)'
`;

/**
 * What each shell is told: hand the words as they stand to `weir complete`, and offer its lines. Nothing that was typed
 * and nothing that comes back is ever evaluated.
 */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
