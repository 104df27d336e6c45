import{passwordFits}from"./chunk-ANSOQNGH.js";import{parentPort}from"node:worker_threads";parentPort?.on("message",question=>{parentPort?.postMessage(passwordFits(question))});
