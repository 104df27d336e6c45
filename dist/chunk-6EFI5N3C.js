import{createMemoryStore}from"./chunk-DUURUDUD.js";import"./chunk-JD5J3NEO.js";import"./chunk-UCRIKDYD.js";import"./chunk-6AQDKMQS.js";export{createMemoryStore};
