import{optionsOf}from"./chunk-TKJIVUIB.js";var GROUPS=["Build","Cache","Output","Registries","Kubernetes","Base image cache","Workspace","Git","Start","Dev container","Registry server","General"];var COMMANDS={build:"Build a Dockerfile or a dev container, taking from the cache what it holds",probe:"Tell whether the cache holds all of an image, and print its name; builds nothing","read-configuration":"Print what devcontainer.json says, as JSON",warm:"Fetch base images into a directory that builds read them from",k8s:"Print manifests for Kubernetes","registry serve":"Serve a directory as a registry","registry gc":"Remove from a registry directory what nothing names","registry check":"Read all of a registry directory, and repair it",version:"Print the version",help:"Show this, or the options of a command"},USAGE={build:`Usage: envbuilder build [options] [context]

Builds a Dockerfile without a container engine. The context is a directory, by default the current one. With a cache
(--layer-cache-dir or --cache-repo) steps that were built before are taken from it, and new ones are stored in it.
Prints the digest of the image on standard output; everything else goes to standard error.`,probe:`Usage: envbuilder probe [options] [context]

Looks up every step of a Dockerfile in a cache, runs nothing and downloads no layer. When all is there, the last line on
standard output is ENVBUILDER_CACHED_IMAGE=<repository>@<digest> and the exit code is 0; otherwise the error names the
first instruction that is missing.`,"read-configuration":`Usage: envbuilder read-configuration [options]

Reads the devcontainer.json of a workspace, checks it, replaces variables, and prints it on standard output as JSON in the
shape of \`devcontainer read-configuration\`, the command of the reference implementation.`,warm:`Usage: envbuilder warm --cache-dir DIR [options] [image\u2026]

Fetches base images into a directory, where builds (--base-image-cache-dir) and kaniko find them. Builds may read the
directory meanwhile. Prints a line for each image on standard output: fetched or present, its name, its digest. The exit
code is that of the first image that failed; the others are fetched all the same.`,k8s:`Usage: envbuilder k8s [options] [part\u2026]

Prints manifests for \`kubectl apply -f -\`: a registry, a volume of base images with what fills it, a workspace, network
policies, and secrets to fill in. The parts are secrets, base-images, warmer, warm-now, registry, workspace and network;
without any, all but warm-now are printed. Nothing is asked of a cluster.`,"registry serve":`Usage: envbuilder registry serve --dir DIR [options]

Serves a directory as a registry (OCI distribution spec v1.1), until it is interrupted. Builds may use the directory as
their layer cache, and other servers may serve it, at the same time. Prints where it listens on standard output.`,"registry gc":`Usage: envbuilder registry gc --dir DIR [options]

Removes blobs and manifests that neither a tag nor a cache record reaches, and with --older-than or --max-size tags and
records that nobody uses. The directory may be served and built with meanwhile.`,"registry check":`Usage: envbuilder registry check --dir DIR [--repair]

Reads every blob of a registry's directory, follows every name, and tells what is damaged or missing. The directory may
be in use.`,start:`Usage: envbuilder <command> [options]
       envbuilder [options]        as the start of a container, set up by variables (see below)

Builds a repository's Dockerfile without a container engine, and finds every layer again.

Without a command it starts a workspace: it clones and builds it, replaces the file system of the
container that it runs in, runs the hooks, and becomes the init command. With
ENVBUILDER_GET_CACHED_IMAGE=1 it only probes the workspace.`},WIDTH=100,FLAG_COLUMN=34;function helpText(command){let parts=[USAGE[command]];command==="start"&&parts.push(commandList());let rows=optionsOf(command);for(let group of GROUPS){let inGroup=rows.filter(row=>row.group===group);inGroup.length>0&&parts.push([`${group}:`,...inGroup.flatMap(optionLines)].join(`
`))}return parts.push("A flag wins over its variable. -h, --help shows this."),`${parts.join(`

`)}
`}function flagText(row){let value=row.choices?.join("|")??row.placeholder;return`${row.short?`-${row.short}, `:""}--${row.name}${value&&row.type!=="boolean"?` ${value}`:""}`}function commandList(){return["Commands:",...Object.entries(COMMANDS).map(([name,text])=>`  ${name.padEnd(20)}${text}`)].join(`
`)}function optionLines(row){let flag=`  ${flagText(row)}`,notes=[row.variable&&`[${row.variable}]`,row.default!==void 0&&`(default: ${row.default})`],text=[row.text,...notes].filter(Boolean).join(" "),lines=wrap(text,WIDTH-FLAG_COLUMN).map(line=>`${" ".repeat(FLAG_COLUMN)}${line}`);return flag.length>=FLAG_COLUMN-1?[flag,...lines]:[`${flag.padEnd(FLAG_COLUMN)}${lines[0].trimStart()}`,...lines.slice(1)]}function wrap(text,width){let lines=[""];for(let word of text.split(" ")){let line=lines.at(-1);line!==""&&line.length+word.length+1>width?lines.push(word):lines[lines.length-1]=line===""?word:`${line} ${word}`}return lines}export{COMMANDS,helpText,flagText};
