import{COMMANDS,flagText,helpText}from"./chunk-UOVVKW5M.js";import"./chunk-TKJIVUIB.js";export{COMMANDS,flagText,helpText};
