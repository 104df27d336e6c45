import{packageFile}from"./chunk-CLRE52I4.js";import{readFileSync}from"node:fs";function version(){let text=readFileSync(packageFile(),"utf8");return JSON.parse(text).version}export{version};
